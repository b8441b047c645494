/**
 * JMH benchmarks at the sizes of SmolLM2-135M, with random weights, so that they need no download:
 * {@code java -jar benchmarks/target/benchmarks.jar}. Open {@link io.peft4j.benchmarks.KernelState} first: which
 * kernels and type a benchmark runs with. The comparison with other programs is the script {@code benchmarks/compare}.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.benchmarks;
