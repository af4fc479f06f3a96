--
-- A dump in the shape of the Northwind dumps that are about: all fourteen tables, types, settings of
-- old servers, keys at the end. The rows are made up.
--

SET statement_timeout = 0;
SET lock_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SET check_function_bodies = false;
SET client_min_messages = warning;
SET default_tablespace = '';
SET default_with_oids = false;

DROP TABLE IF EXISTS customer_customer_demo;
DROP TABLE IF EXISTS customer_demographics;
DROP TABLE IF EXISTS employee_territories;
DROP TABLE IF EXISTS order_details;
DROP TABLE IF EXISTS orders;
DROP TABLE IF EXISTS customers;
DROP TABLE IF EXISTS products;
DROP TABLE IF EXISTS shippers;
DROP TABLE IF EXISTS suppliers;
DROP TABLE IF EXISTS territories;
DROP TABLE IF EXISTS us_states;
DROP TABLE IF EXISTS categories;
DROP TABLE IF EXISTS region;
DROP TABLE IF EXISTS employees;

CREATE TABLE categories (
    category_id smallint NOT NULL,
    category_name character varying(15) NOT NULL,
    description text,
    picture bytea
);
CREATE TABLE customer_customer_demo (
    customer_id bpchar NOT NULL,
    customer_type_id bpchar NOT NULL
);
CREATE TABLE customer_demographics (
    customer_type_id bpchar NOT NULL,
    customer_desc text
);
CREATE TABLE customers (
    customer_id bpchar NOT NULL,
    company_name character varying(40) NOT NULL,
    contact_name character varying(30),
    contact_title character varying(30),
    address character varying(60),
    city character varying(15),
    region character varying(15),
    postal_code character varying(10),
    country character varying(15),
    phone character varying(24),
    fax character varying(24)
);
CREATE TABLE employees (
    employee_id smallint NOT NULL,
    last_name character varying(20) NOT NULL,
    first_name character varying(10) NOT NULL,
    title character varying(30),
    title_of_courtesy character varying(25),
    birth_date date,
    hire_date date,
    address character varying(60),
    city character varying(15),
    region character varying(15),
    postal_code character varying(10),
    country character varying(15),
    home_phone character varying(24),
    extension character varying(4),
    photo bytea,
    notes text,
    reports_to smallint,
    photo_path character varying(255)
);
CREATE TABLE employee_territories (
    employee_id smallint NOT NULL,
    territory_id character varying(20) NOT NULL
);
CREATE TABLE order_details (
    order_id smallint NOT NULL,
    product_id smallint NOT NULL,
    unit_price real NOT NULL,
    quantity smallint NOT NULL,
    discount real NOT NULL
);
CREATE TABLE orders (
    order_id smallint NOT NULL,
    customer_id bpchar,
    employee_id smallint,
    order_date date,
    required_date date,
    shipped_date date,
    ship_via smallint,
    freight real,
    ship_name character varying(40),
    ship_address character varying(60),
    ship_city character varying(15),
    ship_region character varying(15),
    ship_postal_code character varying(10),
    ship_country character varying(15)
);
CREATE TABLE products (
    product_id smallint NOT NULL,
    product_name character varying(40) NOT NULL,
    supplier_id smallint,
    category_id smallint,
    quantity_per_unit character varying(20),
    unit_price real,
    units_in_stock smallint,
    units_on_order smallint,
    reorder_level smallint,
    discontinued integer NOT NULL
);
CREATE TABLE region (
    region_id smallint NOT NULL,
    region_description bpchar NOT NULL
);
CREATE TABLE shippers (
    shipper_id smallint NOT NULL,
    company_name character varying(40) NOT NULL,
    phone character varying(24)
);
CREATE TABLE suppliers (
    supplier_id smallint NOT NULL,
    company_name character varying(40) NOT NULL,
    contact_name character varying(30),
    contact_title character varying(30),
    address character varying(60),
    city character varying(15),
    region character varying(15),
    postal_code character varying(10),
    country character varying(15),
    phone character varying(24),
    fax character varying(24),
    homepage text
);
CREATE TABLE territories (
    territory_id character varying(20) NOT NULL,
    territory_description bpchar NOT NULL,
    region_id smallint NOT NULL
);
CREATE TABLE us_states (
    state_id smallint NOT NULL,
    state_name character varying(100),
    state_abbr character varying(2),
    state_region character varying(50)
);

INSERT INTO categories VALUES (1, 'Beverages', 'What one drinks', '\x');
INSERT INTO categories VALUES (2, 'Seafood', 'What swims', '\x151c2f00');
INSERT INTO customers VALUES ('NORDA', 'Nordavind Handel', 'Siri Aas', 'Owner', 'Havnegata 4', 'Bergen', NULL, '5003', 'Norway', '55-1234', NULL);
INSERT INTO customers VALUES ('PAMPA', 'Pampa''s Table', 'Lia Sosa', 'Sales Agent', 'Calle 9', 'Rosario', NULL, NULL, 'Argentina', '(1) 135-1', '(1) 135-2');
INSERT INTO customers VALUES ('WILLA', 'Willamette Grocers', 'Ned Hall', 'Buyer', '12 Pine St.', 'Salem', 'OR', '97301', 'USA', '(503) 555-1', NULL);
INSERT INTO customers VALUES ('YORKS', 'York Street Deli', 'Ann Shaw', 'Owner', '3 York St.', 'Leeds', NULL, 'LS1 1AA', 'UK', '(113) 555-1', NULL);
INSERT INTO employees VALUES (1, 'Moss', 'Nina', 'Sales Representative', 'Ms.', '1968-12-08', '1992-05-01', '507 20th Ave.', 'Seattle', 'WA', '98122', 'USA', '(206) 555-1', '5467', '\x151c2f00', 'Speaks Danish.', NULL, 'http://photos.example.com/1.bmp');
INSERT INTO employee_territories VALUES (1, '06897');
INSERT INTO region VALUES (1, 'Eastern');
INSERT INTO territories VALUES ('06897', 'Wilton', 1);
INSERT INTO shippers VALUES (1, 'Fast Lane', '(503) 555-9');
INSERT INTO suppliers VALUES (1, 'Fjord Fisk', 'Ola Berg', 'Manager', 'Kai 2', 'Bergen', NULL, '5004', 'Norway', '55-4321', NULL, '#http://fisk.example.com#');
INSERT INTO products VALUES (1, 'Birch Water', 1, 1, '10 boxes', 18, 39, 0, 10, 0);
INSERT INTO products VALUES (2, 'Stockfish', 1, 2, '1 kg pkg.', 97.5, 29, 0, 0, 1);
INSERT INTO orders VALUES (10248, 'NORDA', 1, '1996-07-04', '1996-08-01', '1996-07-16', 1, 32.3800011, 'Nordavind Handel', 'Havnegata 4', 'Bergen', NULL, '5003', 'Norway');
INSERT INTO orders VALUES (10249, 'WILLA', 1, '1997-01-05', '1997-02-02', '1997-01-10', 1, 11.6099997, 'Willamette Grocers', '12 Pine St.', 'Salem', 'OR', '97301', 'USA');
INSERT INTO orders VALUES (11077, 'YORKS', 1, '1998-05-06', '1998-06-03', NULL, 1, 8.52999973, 'York Street Deli', '3 York St.', 'Leeds', NULL, 'LS1 1AA', 'UK');
INSERT INTO order_details VALUES (10248, 1, 14.3999996, 12, 0);
INSERT INTO order_details VALUES (10248, 2, 77.5999985, 10, 0.150000006);
INSERT INTO order_details VALUES (10249, 1, 18.6000004, 9, 0.0500000007);
INSERT INTO order_details VALUES (11077, 2, 97.5, 3, 0.0299999993);
INSERT INTO us_states VALUES (1, 'Oregon', 'OR', 'west');

ALTER TABLE ONLY categories ADD CONSTRAINT pk_categories PRIMARY KEY (category_id);
ALTER TABLE ONLY customers ADD CONSTRAINT pk_customers PRIMARY KEY (customer_id);
ALTER TABLE ONLY employees ADD CONSTRAINT pk_employees PRIMARY KEY (employee_id);
ALTER TABLE ONLY order_details ADD CONSTRAINT pk_order_details PRIMARY KEY (order_id, product_id);
ALTER TABLE ONLY orders ADD CONSTRAINT pk_orders PRIMARY KEY (order_id);
ALTER TABLE ONLY products ADD CONSTRAINT pk_products PRIMARY KEY (product_id);
ALTER TABLE ONLY orders ADD CONSTRAINT fk_orders_customers FOREIGN KEY (customer_id) REFERENCES customers;
ALTER TABLE ONLY order_details ADD CONSTRAINT fk_order_details_orders FOREIGN KEY (order_id) REFERENCES orders;
