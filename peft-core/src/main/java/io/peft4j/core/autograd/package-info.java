/**
 * Reverse-mode differentiation over the coarse operations of {@link io.peft4j.core.kernel.Kernels}. Open
 * {@link io.peft4j.core.autograd.Tape} first; the operations are the static methods of the {@code ...Ops} classes, each
 * with its gradient next to it.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.autograd;
