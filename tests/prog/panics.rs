// Panics through frames of functions that are probed, and catches: what is dropped on the way is counted.
use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};

static DROPPED: AtomicUsize = AtomicUsize::new(0);

struct Guard;

// What the compiler may not foresee; std::hint::black_box is not in Debian 12's Rust.
fn opaque(n: i64) -> i64 {
    unsafe { std::ptr::read_volatile(&n) }
}

impl Drop for Guard {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Ordering::Relaxed);
    }
}

#[inline(never)]
#[no_mangle]
pub fn deepest(n: i64) -> i64 {
    if n % 3 == 0 {
        panic!("n is {}", n);
    }
    n * 2
}

#[inline(never)]
#[no_mangle]
pub fn through(n: i64) -> i64 {
    let _guard = Guard;
    deepest(opaque(n)) + 1
}

#[inline(never)]
#[no_mangle]
pub fn catches(n: i64) -> i64 {
    panic::catch_unwind(|| through(n)).unwrap_or(-n)
}

fn main() {
    panic::set_hook(Box::new(|_| {}));
    let sum: i64 = (0..30).map(|n| catches(opaque(n))).sum();
    println!("sum {}, dropped {}", sum, DROPPED.load(Ordering::Relaxed));
    std::process::exit(3);
}
