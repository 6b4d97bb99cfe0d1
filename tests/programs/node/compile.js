// The TypeScript compiler, through its own command line: a small project with one mistake.
const fs = require('fs');
const path = require('path');
const work = path.resolve(process.argv[2]);
const project = path.join(__dirname, 'project');
process.argv.splice(2, 1, '--project', project, '--outDir', work);
process.on('exit', (status) => {
  console.log('status', status);
  for (const name of fs.readdirSync(work).sort()) {
    console.log(`== ${name}`);
    console.log(fs.readFileSync(path.join(work, name), 'utf8'));
  }
  console.log('winner', require(path.join(work, 'main.js')).winner);
});
require('typescript/lib/tsc.js');
