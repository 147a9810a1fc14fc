"""Pools in a forked child: nothing is given out on both sides, nothing is lost, and nothing hangs."""

from __future__ import annotations

import os

import pytest

from tests.child import in_child

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform cannot fork")


def test_each_side_has_a_pool() -> None:
    assert (
        in_child(
            """
            import os, sys, threading, time, warnings
            from sandbox import Namespaces, Pool

            pool = Pool(size=2)
            spaces = Namespaces(pool)
            with spaces.take("a") as box:
                box.eval("globalThis.n = 1")
            while pool.stats().warm < 2:
                time.sleep(0.001)
            let_go = threading.Event()
            has_one = threading.Event()

            def hold():
                with spaces.take("b"):
                    has_one.set()
                    let_go.wait()

            other = threading.Thread(target=hold)
            other.start()
            has_one.wait()
            with pool.take() as mine:
                while pool.stats().warm < 2:
                    time.sleep(0.001)
                warnings.simplefilter("ignore", DeprecationWarning)
                child = os.fork()
                if not child:
                    # What the other thread had is nobody's here; what this one has is still its own.
                    assert (pool.stats().in_use, pool.stats().warm) == (1, 0), pool.stats()
                    assert mine.eval("1 + 1") == 2
                    with spaces.take("a") as box:
                        assert box.eval("++n") == 2
                    with spaces.take("b") as box:
                        assert box.eval("typeof n") == "undefined"
                    sys.exit()
                assert os.waitpid(child, 0)[1] == 0
                assert pool.stats().in_use == 2
                let_go.set()
                other.join()
                with spaces.take("a") as box:
                    assert box.eval("++n") == 2
            pool.close()
            print("parent")
            """
        )
        == "parent"
    )


def test_no_random_numbers_are_drawn_twice() -> None:
    assert (
        in_child(
            """
            import os, sys, time, warnings
            from sandbox import Pool

            pool = Pool(size=1)
            with pool.take():
                pass
            while not pool.stats().warm:
                time.sleep(0.001)
            warnings.simplefilter("ignore", DeprecationWarning)
            reader, writer = os.pipe()
            child = os.fork()
            with pool.take(timeout=5) as box:
                drawn = box.eval("[Math.random(), crypto.randomUUID()].join()")
            if not child:
                os.write(writer, drawn.encode())
                sys.exit()
            assert os.waitpid(child, 0)[1] == 0
            theirs = os.read(reader, 1000).decode()
            assert not set(theirs.split(",")) & set(drawn.split(",")), (theirs, drawn)
            print("parent")
            """
        )
        == "parent"
    )
