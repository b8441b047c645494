/**
 * The fast kernels: oneDNN primitives on a few threads of our own. Open {@link io.peft4j.onednn.OneDnnKernels}
 * first, then {@link io.peft4j.onednn.ThreadTeam}, which shares an operation among threads, and {@link
 * io.peft4j.onednn.ThreadContext}, one thread's primitives and scratch memory.
 */
@io.peft4j.core.Internal
@org.jspecify.annotations.NullMarked
package io.peft4j.onednn;
