/** The trackers on the class path: {@link io.peft4j.trackers.support.Trackers}. */
@org.jspecify.annotations.NullMarked
package io.peft4j.trackers.support;
