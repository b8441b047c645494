package io.peft4j.dl4j.internal;

import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.methods.Ia3Config;
import java.util.List;

/** IA3 on networks of DeepLearning4J; without {@code feedforward_modules} all targets have factors for outputs. */
final class Ia3OnNetworks implements NetworkMethod<Ia3Config> {
    @Override
    public Class<Ia3Config> config() {
        return Ia3Config.class;
    }

    @Override
    public void check(Ia3Config config, List<String> paths, boolean stored) {
        Checks.require(!config.fanInFanOut(), "fan_in_fan_out does not work on networks of DeepLearning4J, which "
                + "store weights in one way; leave it out");
    }

    @Override
    public WeightUpdate change(Ia3Config config, String path, Weight weight) {
        Initializer first = config.initWeights() ? Initializer.ONES : Initializer.normal(1);
        return new Ia3Change(weight, isFeedforward(config.feedforwardModules(), path), first);
    }

    /** The end of the path may be within one of its parts, as in Hugging Face PEFT. */
    private static boolean isFeedforward(TargetModules names, String path) {
        return names.text().isPresent() ? names.matches("feedforward_modules", path)
                : names.names().orElse(List.of()).stream().anyMatch(path::endsWith);
    }
}
