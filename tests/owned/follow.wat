;; A guest whose attacker has won: whatever calls it finds a list of instructions to follow. `evil.py` writes the module
;; around this: memory, addresses, and one export for each name of the ABI table.
;;
;; An instruction is one byte and its operands, each 32 bits wide. Places in a script are counted from its beginning.

;; --- what the exports do ---

;; Follow the script of an export; without one: end the run as an ordinary program would that says nothing.
(func $enter (param $slot i32) (param $number i32) (param $length i32) (param $is_run i32) (result i32)
  (local $script i32)
  (i32.store (global.get $state) (local.get $number))
  (i32.store offset=4 (global.get $state) (local.get $length))
  (local.set $script (i32.load (i32.add (global.get $slots) (i32.shl (local.get $slot) (i32.const 2)))))
  (if (local.get $script) (then (return (call $follow (local.get $script) (local.get $script)))))
  (if (local.get $is_run) (then (call $finish (local.get $number))))
  (i32.const 0))

;; The frame `finish` with null as value.
(func $finish (param $run i32)
  (i32.store (global.get $outbox) (i32.const 1))
  (i32.store offset=4 (global.get $outbox) (local.get $run))
  (i32.store offset=8 (global.get $outbox) (i32.const 2))
  (i32.store offset=12 (global.get $outbox) (i32.const 0xc000))
  (i32.store (global.get $control_outbox) (global.get $outbox))
  (i32.store (global.get $control_outbox_bytes) (i32.const 16)))

;; The program text of `eval` is a script in hexadecimal digits after a `~`: put it where scripts are, and follow it.
(func $evaluate (param $slot i32) (param $run i32) (param $length i32) (result i32)
  (local $at i32) (local $end i32) (local $to i32)
  (local.set $at (i32.load (global.get $control_inbox)))
  (local.set $end (i32.add (local.get $at) (local.get $length)))
  (loop $search
    (if (i32.ge_u (local.get $at) (local.get $end))
      (then (return (call $enter (local.get $slot) (local.get $run) (local.get $length) (i32.const 1)))))
    (local.set $at (i32.add (local.get $at) (i32.const 1)))
    (br_if $search (i32.ne (i32.load8_u (i32.sub (local.get $at) (i32.const 1))) (i32.const 0x7e))))
  (local.set $to (global.get $script))
  (loop $decode
    (if (i32.lt_u (local.get $at) (local.get $end))
      (then
        (i32.store8 (local.get $to) (i32.or
          (i32.shl (call $digit (i32.load8_u (local.get $at))) (i32.const 4))
          (call $digit (i32.load8_u offset=1 (local.get $at)))))
        (local.set $to (i32.add (local.get $to) (i32.const 1)))
        (local.set $at (i32.add (local.get $at) (i32.const 2)))
        (br $decode))))
  (i32.store (global.get $state) (local.get $run))
  (i32.store offset=4 (global.get $state) (local.get $length))
  (call $follow (global.get $script) (global.get $script)))

(func $digit (param $character i32) (result i32)
  (i32.add
    (i32.and (local.get $character) (i32.const 15))
    (i32.mul (i32.shr_u (local.get $character) (i32.const 6)) (i32.const 9))))

;; --- the instructions ---

(func $follow (param $script i32) (param $at i32) (result i32)
  (local $code i32) (local $a i32) (local $b i32) (local $c i32)
  (loop $next
    (local.set $code (i32.load8_u (local.get $at)))
    (local.set $a (i32.load offset=1 (local.get $at)))
    (local.set $b (i32.load offset=5 (local.get $at)))
    (local.set $c (i32.load offset=9 (local.get $at)))
    (block $burn (block $clock (block $trap (block $dive (block $spin (block $jump (block $repeat (block $add (block $grow
    (block $fill (block $copy (block $call (block $poke (block $return
      (br_table $return $poke $call $copy $fill $grow $add $repeat $jump $spin $dive $trap $clock $burn (local.get $code)))
      ;; return status
      (return (local.get $a)))
      ;; poke address length bytes...
      (memory.copy (local.get $a) (i32.add (local.get $at) (i32.const 9)) (local.get $b))
      (local.set $at (i32.add (i32.add (local.get $at) (i32.const 9)) (local.get $b)))
      (br $next))
      ;; call op address length
      (i32.store offset=8 (global.get $state) (call $host (local.get $a) (local.get $b) (local.get $c)))
      (local.set $at (i32.add (local.get $at) (i32.const 13)))
      (br $next))
      ;; copy to from length
      (memory.copy (local.get $a) (local.get $b) (local.get $c))
      (local.set $at (i32.add (local.get $at) (i32.const 13)))
      (br $next))
      ;; fill address byte length
      (memory.fill (local.get $a) (local.get $b) (local.get $c))
      (local.set $at (i32.add (local.get $at) (i32.const 13)))
      (br $next))
      ;; grow pages
      (i32.store offset=12 (global.get $state) (memory.grow (local.get $a)))
      (local.set $at (i32.add (local.get $at) (i32.const 5)))
      (br $next))
      ;; add address number
      (i32.store (local.get $a) (i32.add (i32.load (local.get $a)) (local.get $b)))
      (local.set $at (i32.add (local.get $at) (i32.const 9)))
      (br $next))
      ;; repeat counter place: take one from the counter, and go back unless it was the last
      (i32.store (local.get $a) (i32.sub (i32.load (local.get $a)) (i32.const 1)))
      (if (i32.load (local.get $a))
        (then (local.set $at (i32.add (local.get $script) (local.get $b))))
        (else (local.set $at (i32.add (local.get $at) (i32.const 9)))))
      (br $next))
      ;; jump place
      (local.set $at (i32.add (local.get $script) (local.get $a)))
      (br $next))
      ;; spin
      (loop $for_ever (br $for_ever)))
      ;; dive frames: follow the rest that many native frames further down
      (return (call $deeper (local.get $a) (local.get $script) (i32.add (local.get $at) (i32.const 5)))))
      ;; trap
      unreachable)
      ;; clock id address
      (drop (call $clock_time (local.get $a) (i64.const 1) (local.get $b)))
      (local.set $at (i32.add (local.get $at) (i32.const 9)))
      (br $next))
    ;; burn rounds
    (loop $round
      (local.set $a (i32.sub (local.get $a) (i32.const 1)))
      (br_if $round (local.get $a)))
    (local.set $at (i32.add (local.get $at) (i32.const 5)))
    (br $next))
  unreachable)

(func $deeper (param $frames i32) (param $script i32) (param $at i32) (result i32)
  (if (i32.eqz (local.get $frames)) (then (return (call $follow (local.get $script) (local.get $at)))))
  (i32.add (i32.const 0)
    (call $deeper (i32.sub (local.get $frames) (i32.const 1)) (local.get $script) (local.get $at))))
