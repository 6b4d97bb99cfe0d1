;; A spreadsheet, a prime sieve, the game of life, a text adventure's parser and
;; a stack machine: enough of the language to make its compiler work.

(import-macros {: unless : ->sum : with-banner} :macros)
(local machine (require :machine))

;; Sieve ----------------------------------------------------------------------

(fn sieve [limit]
  "All primes up to the limit."
  (let [composite {}
        primes []]
    (for [n 2 limit]
      (unless (. composite n)
        (table.insert primes n)
        (for [m (* n n) limit n]
          (tset composite m true))))
    primes))

(with-banner "primes"
  (print (table.concat (sieve 100) " "))
  (print "sum" (->sum (sieve 1000))))

;; Spreadsheet: cells refer to each other ----------------------------------------

(local sheet {:a1 5 :a2 7 :b1 [:+ :a1 :a2] :b2 [:* :b1 :b1] :c1 [:- :b2 :a1]})

(fn evaluate [cell seen]
  (assert (not (. seen cell)) (.. "circular reference to " cell))
  (tset seen cell true)
  (let [value (case (. sheet cell)
                [:+ x y] (+ (evaluate x seen) (evaluate y seen))
                [:- x y] (- (evaluate x seen) (evaluate y seen))
                [:* x y] (* (evaluate x seen) (evaluate y seen))
                n n
                nil (error (.. "no such cell: " cell)))]
    (tset seen cell nil)
    value))

(with-banner "spreadsheet"
  (each [_ cell (ipairs [:a1 :a2 :b1 :b2 :c1])]
    (print cell (evaluate cell {})))
  (tset sheet :a1 [:+ :c1 :a2])
  (let [(ok message) (pcall evaluate :b1 {})]
    (print ok (message:match "circular.*"))))

;; The game of life on a torus -----------------------------------------------------

(local (width height) (values 12 8))

(fn neighbours [world x y]
  (accumulate [count 0 _ dy (ipairs [-1 0 1])]
    (accumulate [count count _ dx (ipairs [-1 0 1])]
      (let [row (. world (+ 1 (% (+ y dy -1) height)))
            cell (. row (+ 1 (% (+ x dx -1) width)))]
        (if (and (= dx 0) (= dy 0)) count
            cell (+ count 1)
            count)))))

(fn step [world]
  (fcollect [y 1 height]
    (fcollect [x 1 width]
      (case (neighbours world x y)
        3 true
        2 (. world y x)
        _ false))))

(fn show [world]
  (each [_ row (ipairs world)]
    (print (table.concat (icollect [_ cell (ipairs row)] (if cell "#" "."))))))

(fn parse-world [...]
  (icollect [_ line (ipairs [...])]
    (icollect [c (line:gmatch ".")] (= c "#"))))

(with-banner "life"
  (var world (parse-world ".#.........." "..#........." "###........."
                          "............" "......###..." "............"
                          "............" "............"))
  (for [generation 1 4]
    (set world (step world)))
  (show world))

;; What the player says ------------------------------------------------------------

(fn understand [line]
  (case (icollect [word (line:gmatch "%a+")] (word:lower))
    [:go way] (.. "you go " way)
    (where [:take thing] (not= thing :dragon)) (.. "you take the " thing)
    [:take thing] (.. "the " thing " takes you")
    [:give thing :to someone] (string.format "%s gets the %s" someone thing)
    [nil] "you wait"
    [verb nil] (.. "how do you want to " verb "?")
    _ "nothing happens"))

(with-banner "parser"
  (each [_ line (ipairs ["Go north" "take lute" "take dragon" "give cake to Alice"
                         "" "sing" "a b c d e f"])]
    (print (understand line))))

;; A stack machine, from a module beside this file -----------------------------------

(with-banner "machine"
  (let [program [:push 1 :push 1 :label :again :over :over :add :dup :print
                 :dup :push 500 :less :jump-if :again :halt]
        (output steps) (machine.run program)]
    (print (table.concat output ","))
    (print "steps" steps)
    (print (select 2 (pcall machine.run [:push 1 :add])))))

;; Closures, iterators, varargs, string methods ------------------------------------

(fn compose [f ...]
  (if (= 0 (select :# ...)) f
      (let [rest (compose ...)]
        (fn [...] (f (rest ...))))))

(local shout (compose #(.. $ "!") string.upper #($:reverse)))

(fn fibonacci []
  (coroutine.wrap (fn []
                    (var (a b) (values 0 1))
                    (while true
                      (coroutine.yield a)
                      (set (a b) (values b (+ a b)))))))

(with-banner "functions"
  (print (shout "olleh"))
  (let [next (fibonacci)]
    (print (table.concat (fcollect [_ 1 20] (next)) " ")))
  (let [{: x :y [y1 & more]} {:x 10 :y [20 30 40]}]
    (print x y1 (length more)))
  (let [(bracketed count) (: "one two three" :gsub "%a+" #(string.format "<%s>" $))]
    (print bracketed count))
  (print (?. {:a {:b 1}} :a :b) (?. {} :a :b) (string.format "%5.2f" math.pi)))
