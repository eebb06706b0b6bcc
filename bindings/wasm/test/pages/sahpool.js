/* The official SQLite on its OPFS pool: rows as one transaction each, and 1,000 at a time. */
import sqlite3InitModule from "/sqlite/index.mjs";

onmessage = async ({ data }) => {
    const sqlite3 = await sqlite3InitModule();
    const pool = await sqlite3.installOpfsSAHPoolVfs({ name: "bench", clearOnInit: true });
    const out = {};
    for (const wal of [false, true]) {
        const db = new pool.OpfsSAHPoolDb(`/bench-${wal}.db`);
        db.exec(wal ? "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL" : "PRAGMA synchronous=FULL");
        db.exec("CREATE TABLE t (id BLOB PRIMARY KEY, space TEXT, body TEXT, at INTEGER) WITHOUT ROWID");
        const insert = db.prepare("INSERT INTO t VALUES (?, ?, ?, ?)");
        const row = (i) => {
            insert.bind([crypto.getRandomValues(new Uint8Array(16)), data.space, `${i} ${data.body}`, i]).stepReset();
        };
        let began = performance.now();
        for (let i = 0; i < data.single; i++) {
            row(i);
        }
        const single = data.single / ((performance.now() - began) / 1000);
        began = performance.now();
        for (let i = 0; i < data.many; i += 1000) {
            db.exec("BEGIN");
            for (let k = 0; k < 1000; k++) {
                row(i + k);
            }
            db.exec("COMMIT");
        }
        out[wal ? "wal" : "delete"] = { single, many: data.many / ((performance.now() - began) / 1000) };
        insert.finalize();
        db.close();
    }
    postMessage(out);
};
