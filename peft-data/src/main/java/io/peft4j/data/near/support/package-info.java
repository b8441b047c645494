/**
 * What makes two examples the same: equal, nearly equal, about the same question, or at odds with each other. Open
 * {@link io.peft4j.data.near.support.Corpus} and {@link io.peft4j.data.near.support.Relations} first;
 * {@link io.peft4j.data.near.support.ExampleComparison} judges a pair; {@link
 * io.peft4j.data.near.support.LeaveOneOut} (short questions) and {@link io.peft4j.data.near.support.MinHashIndex}
 * (long questions, answers) find the pairs worth judging.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.data.near.support;
