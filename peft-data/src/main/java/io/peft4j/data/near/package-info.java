/**
 * What makes two examples the same: equal, nearly equal, about the same question, or at odds with each other. Open
 * {@link io.peft4j.data.near.Corpus} and {@link io.peft4j.data.near.Relations} first;
 * {@link io.peft4j.data.near.ExampleComparison} judges a pair; {@link
 * io.peft4j.data.near.LeaveOneOut} (short questions) and {@link io.peft4j.data.near.MinHashIndex}
 * (long questions, answers) find the pairs worth judging.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.data.near;
