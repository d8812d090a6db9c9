/* SPDX-License-Identifier: Apache-2.0
 *
 * AT_KERNEL before a function whose loops the compiler is to turn into vector code, made once for each kind
 * of processor and chosen when the program starts. Every kind gives the same bits: no flag here lets sums be
 * taken in another order or products and sums be joined.
 */
#ifndef AT_BASE_KERNEL_H
#define AT_BASE_KERNEL_H

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) &&     \
    !defined(__SANITIZE_THREAD__)
#define AT_KERNEL __attribute__((target_clones("default", "avx2", "arch=x86-64-v4"), optimize("O3")))
#else
#define AT_KERNEL
#endif

#endif
