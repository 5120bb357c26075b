const fs = require("fs");
const polka = require("polka");

polka()
  .get("/", (request, response) => response.end(fs.readFileSync("public/index.html")))
  .listen(3000);
