// express answers on a port, and is asked by Node's own client and by fetch.
const http = require('http');
const express = require('express');
const port = Number(process.argv[2]);

const app = express();
app.use(express.json());
app.use((request, response, next) => { response.set('x-seen', request.method); next(); });
app.get('/hello/:name', (request, response) => response.send(`hello ${request.params.name} ${request.query.q}`));
app.post('/sum', (request, response) => response.json({ sum: request.body.reduce((a, b) => a + b, 0) }));
app.get('/stream', (request, response) => { for (let i = 0; i < 20; i++) response.write(`line ${i}\n`); response.end(); });
app.get('/file', (request, response) => response.sendFile(__filename));
app.get('/fail', () => { throw Object.assign(new Error('broken'), { status: 418, expose: true }); });
app.use((error, request, response, next) => response.status(error.status).type('text').send(error.message));

const server = app.listen(port, '127.0.0.1', async () => {
  const base = `http://127.0.0.1:${port}`;
  for (const path of ['/hello/ada?q=1', '/stream', '/fail', '/nothing']) {
    const answer = await fetch(base + path);
    console.log(path, answer.status, answer.headers.get('x-seen'), answer.headers.get('content-type'));
    console.log((await answer.text()).trim());
  }
  const file = await fetch(`${base}/file`);
  console.log('file', file.status, (await file.text()).includes('express answers'));
  const body = JSON.stringify([1, 2, 3, 36]);
  const request = http.request(`${base}/sum`, { method: 'POST', headers: { 'content-type': 'application/json' } }, (answer) => {
    answer.setEncoding('utf8').on('data', (text) => console.log('sum', text)).on('end', () => {
      console.log('bye');
      server.close();
      process.exit();
    });
  });
  request.end(body);
});
