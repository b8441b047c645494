/**
 * JMH benchmarks at the sizes of SmolLM2-135M, with random weights, so that they need no download. The jar is made by
 * {@code mvn package -Prunnable-jar -DskipTests -pl benchmarks -am}, and by nothing else; then {@code java -jar
 * benchmarks/target/benchmarks.jar} runs all benchmarks, or those that it names, and {@code java -cp
 * benchmarks/target/benchmarks.jar io.peft4j.benchmarks.EncoderSpeed ARGUMENTS} a program with a {@code main}. Open
 * {@link io.peft4j.benchmarks.KernelState} first: which kernels and type a benchmark runs with. The comparison with
 * other programs is the script {@code benchmarks/compare}.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.benchmarks;
