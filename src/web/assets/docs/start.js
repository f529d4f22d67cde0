// The viewer is dark where this class is set.
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.onchange = follow;
follow();

// Shows /openapi.json with the viewer that is served beside it.
window.ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#api",
  deepLinking: true,
  // No foreign validator is asked.
  validatorUrl: null,
});
