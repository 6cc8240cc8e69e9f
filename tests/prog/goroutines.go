// Goroutines that grow and move their stacks, panic and recover, under a garbage collector that walks them.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sync"
)

//go:noinline
func grow(n int) int {
	var room [256]byte
	room[n%256] = byte(n)
	if n == 0 {
		return int(room[0])
	}
	return grow(n-1) + int(room[n%256])&1
}

//go:noinline
func deepest(n int) int {
	if n%3 == 0 {
		panic(n)
	}
	return n * 2
}

//go:noinline
func recovers(n int) (result int) {
	defer func() {
		if recover() != nil {
			result = -n
		}
	}()
	return deepest(n) + 1
}

func main() {
	var wait sync.WaitGroup
	sums := make([]int, 8)
	for i := range sums {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for k := 0; k < 30; k++ {
				sums[i] += recovers(k) + grow(100)
				if k%10 == 0 {
					runtime.GC()
				}
			}
		}()
	}
	wait.Wait()
	fmt.Println("sums", sums)
	os.Exit(3)
}
