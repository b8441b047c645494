/**
 * The portable kernels, and what other implementations are made from. Open
 * {@link io.peft4j.core.kernel.support.Nd4jKernels} first. An implementation extends
 * {@link io.peft4j.core.kernel.support.CheckedKernels} with groups of operations and shares them among
 * {@link io.peft4j.core.kernel.support.Workers}.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.kernel.support;
