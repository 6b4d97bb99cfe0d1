// prettier formats what is ugly, in several languages.
import * as prettier from 'prettier';

const sources = {
  babel: 'const  a={b:1,c:[1,2,3],"d":function(x){return x+1}}\nfor(const k in a){if(a[k]>1)console.log(k,a[k]);else continue}',
  typescript: 'interface A<T>{x:T;y?:string}\nexport const f=<T,>(a:A<T>):T=>a.x',
  css: 'a{color:red;background:blue}@media (max-width:10px){b{margin:0 1px}}',
  html: '<ul><li>one<li><b>two</b></ul>',
  markdown: '*  a\n*  b\n\n1) x\n',
  yaml: 'a:   1\nb: [1,2,   3]\n',
  json: '{"a":1,"b":[1,2,{"c":null}]}',
};
for (const [parser, source] of Object.entries(sources)) {
  console.log(`== ${parser}`);
  console.log(await prettier.format(source, { parser, printWidth: 60 }));
}
