/**
 * The kernel contract and its portable implementations. Open {@link io.peft4j.core.kernel.Kernels} first, then
 * {@link io.peft4j.core.kernel.NaiveKernels}, which says in plain loops what each operation computes, and
 * {@link io.peft4j.core.kernel.KernelSelection}, which finds the fastest implementation that runs here. An
 * implementation extends {@link io.peft4j.core.kernel.CheckedKernels} with groups of operations and shares them among
 * {@link io.peft4j.core.kernel.Workers}.
 */
package io.peft4j.core.kernel;
