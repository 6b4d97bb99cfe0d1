// 20,000 files read whole in a granted directory.
const fs = require('fs');
const path = `${process.argv[2]}/0001`;
let read = 0;
for (let i = 0; i < 20000; i++) read += fs.readFileSync(path).length > 0 ? 1 : 0;
console.log(read);
