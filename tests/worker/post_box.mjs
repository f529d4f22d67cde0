//! A queue consumer in the origin's place, which keeps messages until a spec hands them to the origin itself.

const held = [];

export default {
  async queue(batch) {
    held.push(...batch.messages.map(({ body }) => body));
  },

  /** Answers with the messages that have come since it was asked last. */
  async fetch() {
    return Response.json(held.splice(0));
  },
};
