;; A stack machine with labels.

(fn labels [program]
  (collect [index word (ipairs program)]
    (if (= word :label) (values (. program (+ index 1)) (+ index 2)))))

(fn run [program]
  (local (stack output places) (values [] [] (labels program)))
  (var (at steps running) (values 1 0 true))
  (fn pop []
    (case (table.remove stack)
      nil (error "the stack is empty" 0)
      x x))
  (fn push [x] (table.insert stack x))
  (fn operand []
    (set at (+ at 1))
    (. program at))
  (local words
         {:push #(push (operand))
          :label #(operand)
          :dup #(let [x (pop)] (push x) (push x))
          :over #(let [b (pop) a (pop)] (push a) (push b) (push a))
          :add #(push (+ (pop) (pop)))
          :less #(let [b (pop) a (pop)] (push (< a b)))
          :print #(table.insert output (pop))
          :jump-if #(let [place (. places (operand))]
                      (when (pop) (set at (- place 1))))
          :halt #(set running false)})
  (while running
    (let [word (. program at)
          act (or (. words word) (error (.. "no such word: " (tostring word)) 0))]
      (act)
      (set at (+ at 1))
      (set steps (+ steps 1))))
  (values output steps))

{: run}
