/**
 * Elementwise loops through the JDK's Vector API. Open {@link io.peft4j.vector.VectorLoopProvider}, which says
 * when they run.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.vector;
