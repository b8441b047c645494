package io.peft4j.eval;

import java.util.OptionalDouble;
import java.util.OptionalLong;

/**
 * How fast a model answered.
 *
 * @param prompts number of prompts
 * @param newTokens tokens of all answers
 * @param tokensPerSecond tokens of all answers divided by {@code seconds}
 * @param seconds from the call to its return, computing the prompts included
 * @param firstTokenSeconds how long the first prompt, alone, waits for its first token
 * @param stepsPerSecond steps of decoding a second, each one token for every answer that still runs, after the prompts;
 *     empty where the prompts did not fit in one batch
 * @param weightBytes bytes of the weights that a step reads
 * @param memoryGigabytesPerSecond limit of the machine: the rate at which memory is read
 * @param shareOfBandwidth {@code stepsPerSecond * weightBytes} as a share of that limit
 * @param peakResidentBytes the most memory the process has had resident; empty where the system does not tell
 */
public record GenerationMeasurement(int prompts, long newTokens, double tokensPerSecond, double seconds,
        double firstTokenSeconds, OptionalDouble stepsPerSecond, long weightBytes, double memoryGigabytesPerSecond,
        OptionalDouble shareOfBandwidth, OptionalLong peakResidentBytes) {
}
