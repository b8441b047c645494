package io.peft4j.train.sweep;

import io.peft4j.core.Internal;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.train.TrainerBuilder;
import io.peft4j.train.TrainingResult;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Function;

/**
 * What a trial is trained with, before its values change options of the training and keys of the configuration.
 *
 * @param config the adapter's configuration
 * @param trainer its training, without an output folder
 * @param training trains it with an objective of its own; empty: as the sweep does
 */
@Internal(shared = true)
public record TrialSetup(PeftConfig config, Function<PeftModel, TrainerBuilder> trainer,
        Optional<BiFunction<TrainerBuilder, PeftModel, TrainingResult>> training) {
}
