const polka = require("polka");
const duration = require("./duration");

polka()
  .get("/health", (request, response) => response.end("ok\n"))
  .get("/duration/:text", (request, response) => {
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify(duration(decodeURIComponent(request.params.text))) + "\n");
  })
  .listen(18003, "127.0.0.1");
