/**
 * The kernel contract and its portable implementations. Open {@link io.peft4j.core.kernel.Kernels} first, then
 * {@link io.peft4j.core.kernel.NaiveKernels}, which says in plain loops what each operation computes.
 */
package io.peft4j.core.kernel;
