/**
 * How good models with a head are: open {@link io.peft4j.eval.head.TaskComparison}, which compares them with their
 * base. {@link io.peft4j.eval.head.EntityScores}, {@link io.peft4j.eval.head.SearchQuality} and
 * {@link io.peft4j.eval.head.RankingQuality} count entities, searches and orders by themselves.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.eval.head;
