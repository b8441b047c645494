/** How fast models answer: {@link io.peft4j.eval.support.GenerationBenchmark}. */
@org.jspecify.annotations.NullMarked
package io.peft4j.eval.support;
