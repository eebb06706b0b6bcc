/*
 * Yjs: one document with the set, a map for each record. Two replicas edit the same records, half of
 * them in the same field, and exchange what the other lacks. Prints: CPU seconds of the edits, CPU
 * seconds of the exchange, bytes of an edit in a batch (the shorter of both encodings, as it is, and
 * compressed), bytes of one edit alone.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';
import { pathToFileURL } from 'node:url';

const [set, peers, edits] = [process.argv[2], process.argv[3], Number(process.argv[4])];
const require = createRequire(pathToFileURL(`${peers}/`));
const Y = await import(pathToFileURL(require.resolve('yjs').replace('.cjs', '.mjs')));

function cpu() {
    const used = process.cpuUsage();
    return (used.user + used.system) / 1e6;
}

const records = readFileSync(set, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line));
const ids = records.map((record) => record.id);
const a = new Y.Doc();
for (let i = 0; i < records.length; i += 1000) {
    a.transact(() => {
        for (const { id, ...fields } of records.slice(i, i + 1000)) {
            a.getMap('annotation').set(id, new Y.Map(Object.entries(fields)));
        }
    });
}
const b = new Y.Doc();
Y.applyUpdate(b, Y.encodeStateAsUpdate(a));

/* Which record the i-th edit is of, one video after the other, and the time it sets. */
function spread(i) {
    let h = Math.imul(i, 0x45d9f3b);
    h = Math.imul(h ^ (h >>> 16), 0x45d9f3b);
    return (h ^ (h >>> 16)) >>> 0;
}
const videos = 200;
const stride = ids.length / edits;
const each = edits / videos;
const of = (i) => ids[((i % each) * stride + (spread(i) % stride)) * videos + Math.floor(i / each)];
const time = (i, round) => 70000000 + (spread(i + 1000003 * round) % 600) * 100000;

function edit(doc, field, value) {
    const map = doc.getMap('annotation');
    for (let i = 0; i < edits; i += 1000) {
        doc.transact(() => {
            for (let k = i; k < i + 1000; k++) {
                map.get(of(k)).set(field(k), value(k));
            }
        });
    }
}

const before = Y.encodeStateVector(a);
let began = cpu();
edit(a, () => 't_out', (i) => time(i, 1));
const editsA = cpu() - began;
const batch = [Y.encodeStateAsUpdate(a, before), Y.encodeStateAsUpdateV2(a, before)];
const raw = Math.min(...batch.map((update) => update.length)) / edits;
const packed = Math.min(...batch.map((update) => gzipSync(update).length)) / edits;

began = cpu();
edit(b, (i) => (i % 2 === 0 ? 't_out' : 'z'), (i) => (i % 2 === 0 ? time(i, 2) : `b${i}`));
const editsB = cpu() - began;

began = cpu();
const [vectorA, vectorB] = [Y.encodeStateVector(a), Y.encodeStateVector(b)];
const [forB, forA] = [Y.encodeStateAsUpdate(a, vectorB), Y.encodeStateAsUpdate(b, vectorA)];
Y.applyUpdate(a, forA);
Y.applyUpdate(b, forB);
const exchange = cpu() - began;

for (let i = 0; i < edits; i++) {
    const [left, right] = [a, b].map((doc) => doc.getMap('annotation').get(of(i)).toJSON());
    if (JSON.stringify(left) !== JSON.stringify(right)) {
        throw new Error(`record ${of(i)} differs`);
    }
}

let single = 0;
a.on('update', (update) => {
    single = update.length;
});
a.getMap('annotation').get(of(0)).set('t_out', time(0, 3));
console.log(editsA + editsB, exchange, raw, packed, single);
