;; Macros run in the compiler: this file is read and evaluated at compile time.

(fn unless [condition ...]
  `(if (not ,condition) (do ,...)))

(fn ->sum [list]
  `(accumulate [sum# 0 _# n# (ipairs ,list)] (+ sum# n#)))

(fn with-banner [title ...]
  (let [line (string.rep "-" (length title))]
    `(do (print ,title) (print ,line) ,...)))

{: unless : ->sum : with-banner}
