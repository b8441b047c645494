/**
 * Where the course of a training can be watched besides {@code metrics.jsonl}. Open
 * {@link io.peft4j.trackers.TrackingListener} first: it tells trackers of a training, each on a thread of its own, so
 * that none slows or ends the training. A tracker of your own implements {@link io.peft4j.trackers.Tracker}.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.trackers;
