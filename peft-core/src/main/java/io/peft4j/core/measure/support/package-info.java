/**
 * What a machine and a process can tell about speed and memory. Open {@link
 * io.peft4j.core.measure.support.SpeedLimits} first: the limits that a figure is compared with; {@link
 * io.peft4j.core.measure.support.ProcessUsage} says what this process has used.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.measure.support;
