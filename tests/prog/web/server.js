// The paths of the request tests by Node.
const http = require('http');
const server = http.createServer((question, answer) => {
  question.resume();
  question.on('end', () => {
    const [, kind, n] = question.url.split('?')[0].split('/');
    const size = kind == 'status' ? 0 : Number(n);
    answer.statusCode = kind == 'status' ? Number(n) : 200;
    if (kind == 'size') answer.setHeader('Content-Length', size);
    for (let at = 0; at < size; at += 700) answer.write('x'.repeat(Math.min(700, size - at)));
    answer.end();
  });
});
server.keepAliveTimeout = 30000;
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
