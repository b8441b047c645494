package io.peft4j.spark;

import io.peft4j.core.io.Closer;
import io.peft4j.core.model.Task;
import io.peft4j.core.peft.file.AdapterTask;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.apache.spark.util.TaskCompletionListener;

/**
 * The models of a JVM, which all of its tasks share: a base is loaded once, however many tasks, jobs and sets of
 * adapters use it, and has one engine. This is the only state that outlives a task.
 */
final class SharedModels {
    /** As long as it may take until the next stage asks for the same model. */
    private static final long LINGER_MILLIS = 60_000;

    private static final RefCountedCache<ModelRecipe, BaseModel> BASES = new RefCountedCache<>(SharedModels::load,
            LINGER_MILLIS);
    private static final RefCountedCache<ModelRecipe, LoadedModel> MODELS = new RefCountedCache<>(
            recipe -> new LoadedModel(() -> BASES.acquire(withoutAdapters(recipe)), recipe.adapters()), LINGER_MILLIS);

    private SharedModels() {
    }

    /**
     * The model of a recipe, which is loaded now unless another task has done so; for the task of this thread, until
     * that ends.
     *
     * @throws io.peft4j.core.error.PeftException when it cannot be loaded
     */
    public static LoadedModel ofTask(ModelRecipe recipe) {
        try (Closer opened = new Closer()) {
            RefCountedCache<ModelRecipe, LoadedModel>.Lease lease = opened.add(MODELS.acquire(recipe));
            TaskContext.get().addTaskCompletionListener((TaskCompletionListener) ended -> lease.close());
            opened.keep();
            return lease.value();
        }
    }

    /** A use of a base by a task that trains. */
    public static final class Base implements AutoCloseable {
        private final RefCountedCache<ModelRecipe, BaseModel>.Lease lease;

        private Base(RefCountedCache<ModelRecipe, BaseModel>.Lease lease) {
            this.lease = lease;
        }

        /** The base; to be used until this is closed, and never to be closed itself. */
        public BaseModel model() {
            return lease.value();
        }

        @Override
        public void close() {
            lease.close();
        }
    }

    /**
     * The base of a recipe, which is loaded now unless another task has done so.
     *
     * @throws io.peft4j.core.error.PeftException when it cannot be loaded
     */
    public static Base base(ModelRecipe recipe) {
        return new Base(BASES.acquire(withoutAdapters(recipe)));
    }

    /** How many base models are loaded. */
    static int bases() {
        return BASES.size();
    }

    /** What is loaded for classes depends on the adapters: they bring the heads. */
    private static ModelRecipe withoutAdapters(ModelRecipe recipe) {
        return recipe.use() == ModelRecipe.Use.CLASSES ? recipe : recipe.withAdapters(Map.of());
    }

    /** The cores that an executor is given, at most those of the machine; 0 where that is not said. */
    private static int coresOfExecutor() {
        SparkEnv spark = SparkEnv.get();
        int given = spark == null ? 0 : spark.conf().getInt("spark.executor.cores", 0);
        return Math.min(given, Runtime.getRuntime().availableProcessors());
    }

    private static BaseModel load(ModelRecipe recipe) {
        ModelOptions plain = ModelOptions.defaults().withPrecision(recipe.precision())
                .withSharedWeights(true);
        int threads = recipe.threads() > 0 ? recipe.threads() : coresOfExecutor();
        ModelOptions options = threads > 0 ? plain.withThreads(threads) : plain;
        Optional<Task> task = switch (recipe.use()) {
            case TEXT -> Optional.empty();
            case VECTORS -> Optional.of(Task.EMBEDDING);
            case CLASSES -> recipe.adapters().values().stream().map(LocalFiles::folder)
                    .flatMap(folder -> AdapterTask.read(folder).stream()).findFirst();
        };
        String reference = LocalFiles.folder(recipe.base()).toString();
        return BaseModel.load(Files.exists(Path.of(reference)) ? reference : recipe.base(),
                task.map(options::withTask).orElse(options));
    }
}
