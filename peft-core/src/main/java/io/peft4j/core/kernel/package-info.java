/**
 * The kernel contract. Open {@link io.peft4j.core.kernel.Kernels} first, whose groups of operations say what each
 * computes, then {@link io.peft4j.core.kernel.KernelSelection}, which finds the fastest implementation that runs here.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.kernel;
