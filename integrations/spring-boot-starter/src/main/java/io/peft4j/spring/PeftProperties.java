package io.peft4j.spring;

import io.peft4j.models.ModelOptions;
import io.peft4j.train.TrainingOptions;
import io.peft4j.train.plan.AutoInteger;
import io.peft4j.train.plan.AutoNumber;
import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * What an application sets.
 *
 * @param model the base model: an ID on the hub, a folder, a GGUF file or {@code tiny}. Without it the starter does
 *     nothing
 * @param dtype what the weights are kept in, which decides the memory: auto, f32, bf16, int8 or q4
 * @param threads threads of the engine; 0, the default, means all processors
 * @param toolForm the form of tool calls that the chat template gets where it shows no tools, such as hermes; empty,
 *     the default, leaves it as it is
 * @param adapters a folder whose sub-folders are adapters, by name; empty, the default, means none
 * @param defaultAdapter the adapter that answers where a request names none, {@code __base__} for the base; empty, the
 *     default, means the only one that there is, and the base if there is none. Needed where there are several
 * @param trustedKey a PEM file of a public key: adapters are taken only where they were signed with its private one;
 *     empty, the default, takes all
 * @param reload how often the folder is looked at for adapters that are new, changed or gone; 0 means never
 * @param maxTokens the most new tokens of an answer, where a request does not say otherwise
 * @param temperature 0 takes the most likely token, where a request does not say otherwise
 * @param decisions answers to typed questions
 * @param tuning training by HTTP
 */
@ConfigurationProperties("peft4j")
public record PeftProperties(String model, @DefaultValue("auto") ModelOptions.Precision dtype,
        @DefaultValue("0") int threads, @DefaultValue("") String toolForm, @DefaultValue("") String adapters,
        @DefaultValue("") String defaultAdapter, @DefaultValue("") String trustedKey,
        @DefaultValue("2s") Duration reload, @DefaultValue("256") int maxTokens,
        @DefaultValue("0") double temperature, @DefaultValue Decisions decisions, @DefaultValue Tuning tuning) {
    /**
     * Answers to typed questions.
     *
     * @param rotations in how many orders of its options a choice is asked, whose probabilities are averaged
     * @param maxError the largest share of wrong answers: what is less certain than the calibration's threshold for
     *     it is refused; 0, the default, answers all
     */
    public record Decisions(@DefaultValue("1") int rotations, @DefaultValue("0") double maxError) {
    }

    /**
     * Training by HTTP: {@code POST /peft4j/adapters/NAME} with chats as JSON Lines. Switched off by default, since
     * whoever reaches it decides what the application answers: put it behind the application's own security.
     *
     * @param enabled whether there is such an endpoint
     * @param rank rank of the adapter
     * @param epochs passes over the data; {@code auto}, the default, leaves the choice to rules
     * @param batchSize examples a forward pass; {@code auto}, the default, leaves the choice to rules
     * @param learningRate the highest learning rate; {@code auto}, the default, leaves the choice to rules
     * @param maxRows the most rows of a request
     * @param verdictItems held-out rows that a trained adapter is asked before it answers, at most; 0 for no verdict
     * @param guardItems general questions that it is asked, at most; 0 for none, so that harm is not known
     */
    public record Tuning(@DefaultValue("false") boolean enabled, @DefaultValue("16") int rank,
            @DefaultValue(AutoNumber.AUTO) AutoInteger epochs, @DefaultValue(AutoNumber.AUTO) AutoInteger batchSize,
            @DefaultValue(AutoNumber.AUTO) AutoNumber learningRate,
            @DefaultValue("10000") int maxRows, @DefaultValue("24") int verdictItems,
            @DefaultValue("800") int guardItems) {
        /** What a training is asked for. */
        TrainingOptions training() {
            TrainingOptions.Builder training = TrainingOptions.builder();
            epochs.value().ifPresent(training::epochs);
            batchSize.value().ifPresent(training::batchSize);
            learningRate.value().ifPresent(training::learningRate);
            return training.build();
        }
    }
}
