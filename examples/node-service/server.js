const http = require("node:http");

const server = http.createServer((request, response) => {
  response.end(request.url === "/health" ? "ok\n" : "hello\n");
});

server.listen(3000);
