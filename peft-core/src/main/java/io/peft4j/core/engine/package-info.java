/**
 * Who computes when, and in which memory. Open {@link io.peft4j.core.engine.Engine} first: threads that answer and
 * threads that train take turns on its kernels. {@link io.peft4j.core.engine.Lifetime} lets things be closed while
 * others use them.
 */
@io.peft4j.core.Internal(shared = true)
@org.jspecify.annotations.NullMarked
package io.peft4j.core.engine;
