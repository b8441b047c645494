/**
 * An application that learns from its users: what they were answered and how they judged it ({@link
 * io.peft4j.feedback.FeedbackStore}), a better adapter from that, tested before it answers ({@link
 * io.peft4j.feedback.FeedbackTuner}), and the way back ({@link io.peft4j.feedback.AdapterVersions}).
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.feedback;
