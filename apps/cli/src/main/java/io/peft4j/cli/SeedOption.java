package io.peft4j.cli;

import picocli.CommandLine.Option;

/** The option of what decides over draws. */
final class SeedOption {
    @Option(names = "--seed", paramLabel = "N", defaultValue = "0", description = "Seed of everything that is drawn or "
            + "shuffled: the same one gives the same result. Default: ${DEFAULT-VALUE}")
    private long seed;

    long value() {
        return seed;
    }
}
