//! The pipeline on whole images: decoders against other decoders, plans against what is taken, and options.

#[path = "../samples/mod.rs"]
mod samples;

mod bmp;
mod chunk_memory;
mod color;
mod common;
mod encode;
mod gif;
mod gif_frames;
mod heic;
mod jpeg;
mod jpeg_damage;
mod large;
mod limits;
mod metadata;
mod options;
mod orientation;
mod png;
mod png_frames;
mod png_header;
mod ranges;
mod resample;
mod rows;
mod tiff;
mod tiff_pages;
mod tolerated;
mod webp;
mod webp_frames;
