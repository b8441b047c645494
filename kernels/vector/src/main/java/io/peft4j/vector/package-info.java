/**
 * Elementwise loops through the JDK's Vector API. Open {@link io.peft4j.vector.VectorLoopProvider}, which says
 * when they run.
 */
@io.peft4j.core.Internal
@org.jspecify.annotations.NullMarked
package io.peft4j.vector;
