package io.peft4j.core.peft;

import io.peft4j.core.decision.DecisionSettings;
import io.peft4j.core.engine.Engine;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Network;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.text.Tokenizer;
import java.util.List;
import java.util.Optional;

/** A model seen with some of its adapters, whichever are active in it. */
record AdapterView(PeftModel model, AdapterSet adapters, ActiveAdapters.Choice choice) implements LanguageModel {
    @Override
    public ModelLease lease() {
        return adapters.lease(choice);
    }

    @Override
    public Network network() {
        return model.network();
    }

    @Override
    public Engine engine() {
        return model.engine();
    }

    @Override
    public Tokenizer tokenizer() {
        return model.tokenizer();
    }

    @Override
    public Optional<ChatTemplate> chatTemplate() {
        return model.chatTemplate();
    }

    @Override
    public DecisionSettings decisions() {
        return adapters.decisions(choice);
    }

    @Override
    public List<Completion> generate(List<Prompt> prompts, GenerationOptions options) {
        try (ModelLease lease = lease()) {
            return model.base().generate(lease, prompts, options);
        }
    }

    @Override
    public String toString() {
        return network().description().name() + " seen with " + choice.names() + (choice.byRow() ? " by row" : "");
    }
}
