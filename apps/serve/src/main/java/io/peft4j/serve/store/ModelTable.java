package io.peft4j.serve.store;

import java.sql.SQLException;
import java.util.List;
import java.util.Optional;

/** The models that jobs have left. */
public final class ModelTable {
    private final Database database;

    ModelTable(Database database) {
        this.database = database;
    }

    static void insert(Sql sql, StoredModel model) throws SQLException {
        sql.insert("models", model.row(), " ON CONFLICT (name) DO NOTHING");
    }

    /** The models of a base, the oldest first, without those on the way. */
    public List<StoredModel> list(String base) {
        return database.transaction(sql -> sql.list("SELECT * FROM models WHERE base = ? AND checkpoint = 0 ORDER BY "
                + "seq", Sql.of(StoredModel::of), base));
    }

    /** The model of a name. */
    public Optional<StoredModel> find(String base, String name) {
        return database.transaction(sql -> sql.first("SELECT * FROM models WHERE base = ? AND name = ?",
                Sql.of(StoredModel::of), base, name));
    }

    /** Forgets a model; gives whether there was one. */
    public boolean delete(String name) {
        return database.transaction(sql -> sql.update("DELETE FROM models WHERE name = ?", name)) > 0;
    }
}
