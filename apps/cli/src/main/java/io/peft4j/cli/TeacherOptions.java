package io.peft4j.cli;

import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Task;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.CalibrationBatches;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.Masking;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.task.RowKind;
import io.peft4j.models.BaseModel;
import io.peft4j.models.hub.ModelSource;
import io.peft4j.train.TrainerBuilder;
import io.peft4j.train.TrainingEstimate;
import io.peft4j.train.TrainingResult;
import io.peft4j.train.objective.DistillationObjective;
import io.peft4j.train.objective.MixedObjective;
import io.peft4j.train.plan.HyperparameterRules;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import picocli.CommandLine.Option;

/** The model that another one learns from. */
@HelpGroup(HelpGroup.OBJECTIVE)
final class TeacherOptions {
    @Option(names = "--teacher", paramLabel = "ID|DIR|FILE.gguf", description = "distillation: the model that is "
            + "learned from. Default: the base, with --teacher-adapter")
    private String model;

    @Option(names = "--teacher-adapter", paramLabel = "DIR", description = "distillation: an adapter on the teacher.")
    private Path adapter;

    @Option(names = "--temperature", paramLabel = "T", description = "distillation: what logits are divided by. "
            + "Default: 2")
    private Double temperature;

    @Option(names = "--teacher-share", paramLabel = "X", description = "distillation: the teacher's share of the loss, "
            + "the rest is that of the answers. Default: 0.5")
    private Double share;

    /** Checks that there is a teacher where one is needed. */
    void check(PeftCommand command, boolean needed) {
        if (needed && model == null && adapter == null) {
            throw command.usage("--objective distillation needs a teacher: --teacher, --teacher-adapter or both");
        }
        if (temperature != null && !(temperature > 0)) {
            throw command.usage("--temperature must be above 0");
        }
        if (share != null && !(share > 0 && share <= 1)) {
            throw command.usage("--teacher-share must be above 0 and at most 1");
        }
    }

    TrainingData read(DataFile data, Optional<DataFile> validation, Function<String, BaseModel> loader) {
        RowKind.CHATS.require(data);
        return new Lessons((TrainingData.Chats) TrainingData.Chats.read(data, validation,
                Masking.ASSISTANT), loader);
    }

    /** Chats of which the student learns what its teacher expects. */
    private final class Lessons implements TrainingData {
        private final Chats chats;
        private final Function<String, BaseModel> loader;

        Lessons(Chats chats, Function<String, BaseModel> loader) {
            this.chats = chats;
            this.loader = loader;
        }

        @Override
        public Optional<Task> task(ModelSource source) {
            return chats.task(source);
        }

        @Override
        public TrainingResult train(TrainerBuilder trainer, PeftModel student) {
            return taught(student, objective -> trainer.build().train(objective, chats.examples().examples(), held()));
        }

        @Override
        public TrainingEstimate estimate(TrainerBuilder trainer, PeftModel student) {
            return taught(student, objective -> trainer.build().estimate(objective, chats.examples().examples(),
                    held()));
        }

        @Override
        public <T> T part(PeftModel student, double weight, Function<MixedObjective.Part<?>, T> use) {
            return taught(student, objective -> use.apply(new MixedObjective.Part<>(objective, weight,
                    chats.examples().examples(), held())));
        }

        private List<ChatExample> held() {
            return chats.held().map(ChatDataset::examples).orElse(List.of());
        }

        private <T> T taught(PeftModel student, Function<DistillationObjective, T> use) {
            if (model == null) {
                return taught(student, (BaseModel) student.base(), use);
            }
            try (BaseModel other = loader.apply(model)) {
                return taught(student, other, use);
            }
        }

        private <T> T taught(PeftModel student, BaseModel base, Function<DistillationObjective, T> use) {
            if (adapter == null) {
                return use.apply(objective(student, base));
            }
            try (PeftModel teacher = base.withAdapter(adapter)) {
                return use.apply(objective(student, teacher));
            }
        }

        private DistillationObjective objective(PeftModel student, LanguageModel teacher) {
            return new DistillationObjective(student, teacher,
                    temperature == null ? DistillationObjective.TEMPERATURE : temperature,
                    share == null ? DistillationObjective.SHARE : share);
        }

        @Override
        public HyperparameterRules rules(BaseModel base) {
            return chats.rules(base);
        }

        @Override
        public CalibrationBatches calibration(BaseModel base, int batchSize, int mostBatches) {
            return chats.calibration(base, batchSize, mostBatches);
        }
    }
}
