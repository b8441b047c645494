/**
 * What makes two examples the same: equal, nearly equal, about the same question, or at odds with each other. Open
 * {@link io.peft4j.data.near.internal.Corpus} and {@link io.peft4j.data.near.internal.Relations} first;
 * {@link io.peft4j.data.near.internal.ExampleComparison} judges a pair; {@link
 * io.peft4j.data.near.internal.LeaveOneOut} (short questions) and {@link io.peft4j.data.near.internal.MinHashIndex}
 * (long questions, answers) find the pairs worth judging.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.data.near.internal;
