import argon2 from "argon2"
import { RedisStore } from "connect-redis"
import express from "express"
import session from "express-session"
import pg from "pg"
import { createClient } from "redis"

const { ARGON2_MEMORY_KIB, ARGON2_TIME, DATABASE_URL, PORT, REDIS_URL, SECRET } = process.env
const WEEK = 7 * 24 * 60 * 60 * 1000
const COST = {
  type: argon2.argon2id,
  timeCost: Number(ARGON2_TIME),
  memoryCost: Number(ARGON2_MEMORY_KIB),
  parallelism: 1,
}
const UNIQUE_VIOLATION = "23505"

const redis = createClient({ url: REDIS_URL })
redis.on("error", console.error)
await redis.connect()

const pool = new pg.Pool({ connectionString: DATABASE_URL })
pool.on("error", console.error)

// An unknown address costs the same as a wrong password.
const decoy = await argon2.hash("nobody has this password", COST)

const app = express()
app.disable("x-powered-by")
app.set("trust proxy", "loopback")
app.use(express.json())
app.use(
  session({
    name: "sid",
    secret: SECRET,
    store: new RedisStore({ client: redis }),
    resave: false,
    saveUninitialized: false,
    cookie: { httpOnly: true, sameSite: "lax", secure: "auto", maxAge: WEEK },
  }),
)

app.post("/users", async (req, res) => {
  const { email, username, password } = req.body ?? {}
  if (!areTexts(email, username, password)) return res.sendStatus(400)
  const hash = await argon2.hash(password, COST)
  const { rows } = await pool.query(
    "insert into users (email, username, password_hash) values ($1, $2, $3) returning id, email, username, role",
    [email.toLowerCase(), username, hash],
  )
  res.status(201).json(rows[0])
})

app.post("/login", async (req, res, next) => {
  const { email, password } = req.body ?? {}
  if (!areTexts(email, password)) return res.sendStatus(400)
  const { rows } = await pool.query("select id, email, username, role, password_hash from users where email = $1", [
    email.toLowerCase(),
  ])
  const { password_hash: hash = decoy, ...user } = rows[0] ?? {}
  if (!(await argon2.verify(hash, password)) || !user.id) return res.sendStatus(401)
  req.session.regenerate((error) => {
    if (error) return next(error)
    req.session.user = user
    res.json(user)
  })
})

app.get("/session", (req, res) => {
  if (!req.session.user) return res.sendStatus(401)
  res.json(req.session.user)
})

app.use((error, _req, res, next) => {
  if (error.code !== UNIQUE_VIOLATION) return next(error)
  res.sendStatus(409)
})

app.listen(Number(PORT), "127.0.0.1", (error) => {
  if (error) throw error
})

function areTexts(...values) {
  return values.every((value) => typeof value === "string" && value !== "")
}
