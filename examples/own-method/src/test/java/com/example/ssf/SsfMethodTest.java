package com.example.ssf;

import io.peft4j.core.peft.PeftFilesContract;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.config.TargetModules;
import java.util.List;
import java.util.stream.Stream;

/** SSF keeps what every method promises: gradients as central differences give them, and files that load as saved. */
class SsfMethodTest extends PeftFilesContract {
    private static final int OUTPUTS = TinyNetwork.LAYERS * (3 * TinyNetwork.HIDDEN + 2 * TinyNetwork.KEYS
            + 2 * TinyNetwork.INNER);

    private static Case at(String name, SsfConfig.Builder config, long parameters) {
        return new Case(name, Base.PLAIN, config.targetModules(TargetModules.ALL_LINEAR).build(), true, false,
                parameters);
    }

    @Override
    protected List<Case> cases() {
        return List.of(at("scale and shift", SsfConfig.builder(), 2L * OUTPUTS),
                at("scale", SsfConfig.builder().shift(false), OUTPUTS));
    }

    @Override
    protected Stream<PeftConfig> withDropout() {
        return Stream.empty();
    }
}
