// Node's http as an upstream: it writes every request that it read to its end
// as a line of JSON.
'use strict';
const http = require('node:http');

const server = http.createServer({ maxHeaderSize: 1 << 17, requestTimeout: 0, keepAliveTimeout: 60000 }, (request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    const body = Buffer.concat(parts).toString('base64');
    console.log(JSON.stringify({ run: request.headers['x-request-id'] || '', method: request.method, target: request.url, body }));
    response.end('good');
  });
});
server.on('clientError', (err, socket) => {
  // A connection that ends within a request is no disagreement about its end.
  if (err.code !== 'HPE_INVALID_EOF_STATE' && err.code !== 'ECONNRESET') console.log(JSON.stringify({ error: err.code }));
  socket.destroy();
});
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })));
process.on('SIGTERM', () => { server.close(() => process.exit(0)); server.closeIdleConnections(); });
