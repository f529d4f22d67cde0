// Shows /openapi.json with the viewer that is served beside it.
window.ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#api",
  deepLinking: true,
  // No foreign validator is asked.
  validatorUrl: null,
});
