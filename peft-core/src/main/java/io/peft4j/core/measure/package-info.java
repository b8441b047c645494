/**
 * What a machine and a process can tell about speed and memory. Open {@link
 * io.peft4j.core.measure.SpeedLimits} first: the limits that a figure is compared with; {@link
 * io.peft4j.core.measure.ProcessUsage} says what this process has used.
 */
@io.peft4j.core.Internal(shared = true)
@org.jspecify.annotations.NullMarked
package io.peft4j.core.measure;
